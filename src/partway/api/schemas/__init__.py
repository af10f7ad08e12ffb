"""JSON on the wire: the contract's names and shapes, one noun a file. camelCase lives here alone."""
