"""The contract: an OpenAPI document, and its values."""
