"""Results of RIPE Atlas, one module a kind (https://atlas.ripe.net/docs/apis/result-format/): JSON -> values.

A probe's firmware decides how a result is written, and thirteen years of them are about: numbers as text, a whole HTTP
result in one line of words, replies without times. All generations are read into one shape. An error that a probe met
is part of its result and is kept as such. What is no result is returned as `Garbage`, never raised.
"""
