"""Whether a release is safe: two versions of a service compared by what they recorded, against limits."""
