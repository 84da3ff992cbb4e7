"""One result a kind and generation of firmware, made here: the shapes are those of real ones, the contents are not."""

import base64
import json
from typing import Any

import dns.edns
import dns.message
import dns.rrset


def chaos_reply(server: str = "ns1.fra.example.net", nsid: bytes = b"") -> bytes:
    """Give a reply to `id.server`, as dnspython writes it."""
    query = dns.message.make_query("id.server.", "TXT", "CH", use_edns=0 if nsid else -1)
    query.id = 4711
    reply = dns.message.make_response(query)
    if server:
        reply.answer.append(dns.rrset.from_text("id.server.", 0, "CH", "TXT", f'"{server}"'))
    if nsid:
        reply.use_edns(0, options=[dns.edns.GenericOption(dns.edns.OptionType.NSID, nsid)])
    return reply.to_wire()


def packed(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def origin(kind: str, firmware: int | str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "fw": firmware, "msm_id": 1001, "prb_id": 77, "timestamp": 1_700_000_000, "from": "192.0.2.9",
            **more}  # fmt: skip


SAMPLES: dict[str, dict[str, Any]] = {
    "ping-0": origin("ping", 0, dst_addr="198.51.100.1", sent="3", rcvd="3", dup="0", min="57.8", avg="58.0",
                     max="58.2"),
    "ping-4610": origin("ping", 4610, af=4, proto="ICMP", dst_addr="198.51.100.1", dst_name="a.example", sent=2, rcvd=1,
                        dup=2, min=27.7, avg=27.7, max=27.7, lts=38, size=12,
                        result=[{"x": "*"}, {"dup": 1, "rtt": 36.4, "ttl": 54}, {"rtt": 27.7}]),
    "ping-lost": origin("ping", 4600, af=4, dst_addr="198.51.100.1", sent=1, rcvd=0, dup=0, min=-1, avg=-1, max=-1,
                        result=[{"x": "*"}], lts=-1),
    "ping-error": origin("ping", 4800, af=6, dst_name="a.example", sent=1, rcvd=0, dup=0, min=-1, avg=-1, max=-1,
                         result=[{"error": "sendto failed: Network unreachable"}]),
    "dns-4670": origin("dns", 4670, af=4, proto="UDP", dst_addr="198.51.100.1",
                       result={"abuf": packed(chaos_reply()), "rt": 21.5, "size": 60, "ID": 4711, "ANCOUNT": 1,
                               "answers": [{"TYPE": "TXT", "NAME": "id.server", "RDATA": ["ns1.fra.example.net"]}]}),
    "dns-no-octets": origin("dns", "4560", af=6, proto="TCP", dst_addr="2001:db8::1",
                            result={"rt": 21.5, "size": 60,
                                    "answers": [{"TYPE": "TXT", "NAME": "hostname.bind.", "RDATA": "ns2.iad"}]}),
    "dns-type-number": origin("dns", 4460, af=4, proto="UDP", dst_addr="198.51.100.1",
                              result={"rt": 9.5, "size": 43, "answers": [{"TYPE": 1, "RDLENGTH": 4}]}),
    "dns-timeout": origin("dns", 4610, af=4, proto="UDP", dst_addr="198.51.100.1", error={"timeout": 5000}),
    "dns-set": origin("dns", 4700, resultset=[
        {"af": 4, "proto": "UDP", "dst_addr": "198.51.100.1", "subid": 1, "submax": 2, "time": 1,
         "result": {"abuf": packed(chaos_reply("", b"\xde\xad")), "rt": 3.5, "size": 60}},
        {"af": 6, "proto": "UDP", "dst_addr": "2001:db8::1", "subid": 2, "submax": 2, "time": 2,
         "error": {"timeout": 5000}}]),
    "http-0": origin("http", 0, src_addr="GET4 198.51.100.1 0.042268 200 263 1406"),
    "http-1": origin("http", 1, result="GET6 2001:db8::1 0.030229 200 263 1406"),
    "http-1-error": origin("http", 1, src_addr="connect error 4"),
    "http-4430": origin("http", 4430, result=[{"addr": "198.51.100.1", "bsize": 1406, "hsize": 263, "mode": "GET4",
                                               "res": 200, "rt": 27.276, "ver": "1.1"}]),
    "http-4610-error": origin("http", 4610, uri="http://a.example/",
                              result=[{"af": 6, "dst_addr": "2001:db8::1", "err": "timeout reading chunk",
                                       "method": "GET"}]),
    "tls-4480": origin("sslcert", 4480, af=4, ver="3.0", dst_addr="198.51.100.1", dst_name="a.example",
                       dst_port="https", cert=["-----BEGIN CERTIFICATE-----"]),
    "tls-4720-alert": origin("sslcert", 4720, af=4, ver="1.2", rt=65.8, ttc=31.6, dst_name="a.example", dst_port="443",
                             dst_addr="198.51.100.1", alert={"level": 2, "decription": 40}),
    "tls-4550-name": origin("sslcert", 4550, dst_name="a.example", dst_port="443", dnserr="no such name"),
    "traceroute-4460": origin("traceroute", 4460, af=4, proto="UDP", dst_addr="198.51.100.1", paris_id=2, size=40,
                              result=[{"hop": 1, "result": [{"from": "192.0.2.1", "rtt": 2.7, "ttl": 64, "size": 96}]},
                                      {"hop": 2, "result": [{"x": "*"}]},
                                      {"hop": 3, "result": [{"from": "198.51.100.1", "rtt": 30.1, "ttl": 60,
                                       "icmpext": {"version": 2, "obj": [{"class": 1, "type": 1,
                                                   "mpls": [{"label": 407904, "exp": 1, "s": 1, "ttl": 1}]}]}}]}]),
    "traceroute-late": origin("traceroute", 4720, af=6, proto="ICMP", dst_addr="2001:db8::1",
                              result=[{"hop": 1, "result": [{"from": "2001:db8::1", "late": 4, "size": 68, "ttl": 63},
                                                            {"from": "2001:db8::9", "err": "H", "rtt": 2014.8},
                                                            {"from": "2001:db8::9", "err": 13, "rtt": 1.5}]}]),
    "traceroute-error": origin("traceroute", 4610, af=6, proto="ICMP", dst_addr="2001:db8::1",
                               result=[{"error": "connect failed: Network is unreachable", "hop": 1}]),
    "ntp-4900": origin("ntp", 4900, af=4, dst_addr="198.51.100.1", stratum=2, **{"ref-id": "5d17a7b6",
                       "root-delay": 0.0125}, result=[{"offset": -0.0015, "rtt": 0.0301}, {"x": "*"}]),
    "ntp-unsynchronised": origin("ntp", 4900, af=4, dst_addr="198.51.100.1", stratum="invalid", result=[{"x": "*"}]),
}  # fmt: skip


def sample(name: str) -> bytes:
    return json.dumps(SAMPLES[name]).encode()
