"""How a request leaves: the one outbound socket, its pace, retries and limits."""
