"""What to send: values, bodies, mutations and requests, made from the contract and a world."""
