"""Tables of the earth, by tools/geography.py: land.json (Natural Earth, public domain), countries.csv (GeoNames)."""
