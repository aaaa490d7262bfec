"""What people read, in each language. Rule: a sentence stands in one place, locale/words.pot, and a translation of it in
locale/<language>.po; the page and the documents take both from here, and nothing that is made of them is kept."""
