"""`python -m rules_harness.strategies.boundary` records the boundary cases of the page's document anew."""

from rules_harness.openapi.contract import load
from rules_harness.strategies.boundary.generated import record
from rules_harness.strategies.boundary.source import generate

if __name__ == "__main__":
    contract = load()
    record(contract, generate(contract))
