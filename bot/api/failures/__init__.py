"""What goes wrong at the API: `bodies` reads it, `kinds` says what it means, `errors` raises it."""
