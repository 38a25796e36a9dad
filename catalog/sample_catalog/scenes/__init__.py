"""Where a photo is taken and by what: studio, rooms, surfaces, cameras."""
