"""Complete validation of a body by the contract, written by hand."""
