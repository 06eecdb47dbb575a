"""In from the clients: doors, access, bodies, and bytes back."""
