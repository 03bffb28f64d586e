"""What all reports share: one HTML file each, that needs no network, in one style."""
