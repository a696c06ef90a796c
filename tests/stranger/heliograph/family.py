"""What is spoken between mirror and station."""

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

HELIOGRAPH = Family(
    name="heliograph",
    title="Heliograph",
    reading="heliograph.reading:Heliograph",
    place=70,
    interfaces=(Interface("Sun", "heliograph", Service.STREAM, 1821, spec="the station's handbook"),),
    causes=(Causes("heliograph.codec", "the station's handbook"),),
    cause_fields=(CauseField("cause", "Sun", range(1)),),
)
