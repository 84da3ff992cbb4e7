#!/bin/sh
# Installs the routers and servers that the lab tests run. Without root, or elsewhere than on Debian, it does nothing.
set -eu
packages="bird2 iproute2 nsd nftables frr gobgpd openbgpd procps dbus-daemon bgpdump stayrtr bgpq4 postgresql prometheus rsyslog prometheus-blackbox-exporter nginx-light unbound prometheus-alertmanager haproxy varnish caddy chromium"
missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  exit 0 # tests/lab/conftest.py says in one line what is missing
fi
# The daemons are for the lab's namespaces: none of them is to start on this machine.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT INT TERM
fi
echo "installing for the lab:$missing"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
