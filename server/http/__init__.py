"""Answer HTTP: what each request meets, documents as pages, sentences in each language. Imports server.ops."""
