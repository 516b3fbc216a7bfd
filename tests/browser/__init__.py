"""The pages for people in a real browser: search, records, links, sign-in, accessibility, and hostile names."""
