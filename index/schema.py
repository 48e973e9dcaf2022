"""The tables of the catalog. Each collection adds one full-text table and its view (`index.fulltext`)."""

APPLICATION_ID = 0x4E_47_52_46  # "NGRF"
SCHEMA_VERSION = 2

ORIGINAL = """
CREATE TABLE original (
    document INTEGER PRIMARY KEY REFERENCES document (key) ON DELETE CASCADE, seal BLOB NOT NULL, data BLOB NOT NULL
) STRICT;
"""
"""The files of uploads; new in version 2. Whatever takes a document away takes its file along."""

SCHEMA = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE collection (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, built_by TEXT NOT NULL,
    UNIQUE (name, built_by)
) STRICT;
CREATE TABLE document (
    key INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL REFERENCES collection (key),
    id TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL, date TEXT, media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, paragraphs INTEGER NOT NULL, passages INTEGER NOT NULL,
    indexed_at TEXT NOT NULL, origin TEXT NOT NULL, notes TEXT NOT NULL,
    tail TEXT NOT NULL, text_sha256 BLOB NOT NULL, seal BLOB NOT NULL,
    UNIQUE (collection, path), UNIQUE (collection, id)
) STRICT;
CREATE TABLE paragraph (
    document INTEGER NOT NULL REFERENCES document (key), number INTEGER NOT NULL,
    line_start INTEGER NOT NULL, line_end INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    kind TEXT NOT NULL, page INTEGER, headings TEXT NOT NULL, sha256 BLOB NOT NULL, seal BLOB NOT NULL,
    gap TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (document, number)
) STRICT;
CREATE TABLE passage (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL,
    paragraph INTEGER NOT NULL, part INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    embed_sha256 BLOB NOT NULL, vector_sha256 BLOB, seal BLOB NOT NULL,
    text TEXT NOT NULL, context TEXT NOT NULL, vector BLOB,
    UNIQUE (document, paragraph, part),
    FOREIGN KEY (document, paragraph) REFERENCES paragraph (document, number)
) STRICT;
CREATE INDEX passage_embed ON passage (embed_sha256);
CREATE INDEX passage_unembedded ON passage (document) WHERE vector_sha256 IS NULL;
CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, op TEXT NOT NULL,
    passage INTEGER, nonce BLOB
) STRICT;
CREATE INDEX change_collection ON change (collection, seq);
"""
    + ORIGINAL
)
