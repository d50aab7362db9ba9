"""Reports as HTML: one file each that needs nothing from elsewhere."""
