"""Of every test: a busy machine is no failure, so no example has a deadline."""

from hypothesis import settings

settings.register_profile("anycastle", deadline=None, print_blob=True)
settings.load_profile("anycastle")
