"""The network: one polite, guarded GET for photos and pages, and the browser's requests under the same rule."""
