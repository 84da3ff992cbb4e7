"""A registry for tests: two sources, sets in sets with a circle, both families."""

TEXT = """\
as-set:   AS64500:AS-ALL
members:  AS64500, AS-CUSTOMERS, RADB::AS-PARTNERS
mnt-by:   EXAMPLE-MNT
source:   RIPE

as-set:   AS-CUSTOMERS
members:  AS64501, AS64502, AS64500:AS-ALL, AS-GONE
source:   RIPE

as-set:   AS-PARTNERS
members:  AS64503
source:   RADB

as-set:   AS-PARTNERS
members:  AS64666
source:   RIPE

route:    192.0.2.0/24
origin:   AS64500
mnt-by:   EXAMPLE-MNT
source:   RIPE

route:    198.51.100.0/25
origin:   AS64501
source:   RIPE

route:    198.51.100.128/25
origin:   AS64501
source:   RADB

route:    203.0.113.0/24
origin:   AS64503
source:   RADB

route6:   2001:db8:53::/48
origin:   AS64500
source:   RIPE

route6:   2001:db8:54::/48
origin:   AS64502
source:   RIPE

route:    192.0.2.0/24
origin:   AS64666
mnt-by:   OTHER-MNT
source:   RADB

aut-num:  AS64500
as-name:  EXAMPLE
mnt-by:   EXAMPLE-MNT
source:   RIPE
"""
