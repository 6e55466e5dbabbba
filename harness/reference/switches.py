"""Which faults and variants are on. One process is one server, so the switches are the process's."""

import msgspec


class Switches(msgspec.Struct):
    """What the control plane has switched on; latency in milliseconds."""

    faults: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    latency_ms: int = 0


SWITCHES = Switches()


def fault(fault_id: str) -> bool:
    """Whether the server shall make the honest mistake listed under this id in `faults`."""
    return fault_id in SWITCHES.faults


def variant(variant_id: str) -> bool:
    """Whether the server shall behave in the other allowed way listed under this id in `variants`."""
    return variant_id in SWITCHES.variants
