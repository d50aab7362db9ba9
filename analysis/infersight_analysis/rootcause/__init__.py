"""Where an incident began: which service changed its own behaviour, rather than suffered from another's."""
