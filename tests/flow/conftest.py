"""Laws are tried on many examples; how long one of them takes says nothing on a machine that is shared."""

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
