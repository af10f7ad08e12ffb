"""Work that outlives a request: the promise, its two engines, and the loop of a worker."""
