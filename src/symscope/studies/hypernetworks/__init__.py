"""Networks written by hypernetworks: which algorithm, how simple, and at what loss."""
