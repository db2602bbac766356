"""Categories as a tree of their own, searches that know ligatures and exact codes.

Each category that items had as a text becomes one at the top, with the text as its name in both
languages; texts that are the same by key ("Food" and "food") become one, called as most items had
it. Searches find an exact code or barcode first.
"""

from collections.abc import Iterable
from typing import Any

from alembic import op
from sqlalchemy import text

from shared.i18n.folding import folded
from shared.identifiers import KEY_LENGTH_MAX, find_id, identifier_key
from shared.ids import new_id
from shared.migrations.foundation import TENANT, tenant_table

revision = "0006"
down_revision = "0005"

BATCH = 5_000
SEARCH_TEXT_LENGTH_MAX = 1000
FEW = 5  # With fewer items that hold every word, those that resemble the query come behind.
RANKED_MAX = 1000  # Of items that hold every word, so many of the shortest are ranked.


def upgrade() -> None:
    _create_categories()
    _fill_categories()
    op.execute("DROP INDEX inventory.items_category")
    op.execute("ALTER TABLE inventory.items DROP COLUMN category")
    op.execute("CREATE INDEX items_category ON inventory.items (tenant_id, category_id, code)")
    _write_search_texts()
    _search_exact_codes_first()


def _create_categories() -> None:
    op.execute(f"""
        CREATE TABLE inventory.categories (
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            name_en text,
            name_fr text,
            key_en text NOT NULL,
            key_fr text NOT NULL,
            parent_id uuid,
            version int NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT categories_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT categories_named CHECK (name_en IS NOT NULL OR name_fr IS NOT NULL),
            CONSTRAINT categories_not_in_itself CHECK (parent_id <> id),
            CONSTRAINT categories_parent FOREIGN KEY (tenant_id, parent_id)
                REFERENCES inventory.categories (tenant_id, id),
            CONSTRAINT categories_name_en
                UNIQUE NULLS NOT DISTINCT (tenant_id, parent_id, key_en),
            CONSTRAINT categories_name_fr
                UNIQUE NULLS NOT DISTINCT (tenant_id, parent_id, key_fr)
        )""")
    for language in ("en", "fr"):
        op.execute(
            f"CREATE INDEX categories_by_key_{language} "
            f"ON inventory.categories (tenant_id, key_{language}, id)"
        )
    tenant_table("inventory", "categories")
    op.execute("ALTER TABLE inventory.items ADD COLUMN category_id uuid")
    op.execute(
        "ALTER TABLE inventory.items ADD CONSTRAINT items_in_category "
        "FOREIGN KEY (tenant_id, category_id) REFERENCES inventory.categories (tenant_id, id)"
    )


def _fill_categories() -> None:
    found_rows = _read(
        "SELECT tenant_id, category, count(*) AS uses FROM inventory.items "
        "WHERE category IS NOT NULL GROUP BY 1, 2 ORDER BY uses DESC, category"
    )
    rows: dict[tuple[Any, str], dict[str, Any]] = {}
    texts: list[dict[str, Any]] = []
    for found in found_rows:
        key = _key(found.category)
        row = rows.setdefault(
            (found.tenant_id, key),
            {"id": new_id(), "tenant_id": found.tenant_id, "name": found.category, "key": key},
        )
        texts.append({"id": row["id"], "tenant_id": found.tenant_id, "category": found.category})
    _write(
        "INSERT INTO inventory.categories "
        "(id, tenant_id, name_en, name_fr, key_en, key_fr, created_at, updated_at) "
        "VALUES (:id, :tenant_id, :name, :name, :key, :key, now(), now())",
        rows.values(),
    )
    _write(
        "UPDATE inventory.items SET category_id = :id "
        "WHERE tenant_id = :tenant_id AND category = :category",
        texts,
    )


def _write_search_texts() -> None:
    """Make them anew: without ligatures, and with the category's words behind a mark."""
    found_rows = _read("""
        SELECT i.id, i.code, i.name_en, i.name_fr, c.name_en AS category, array(
            SELECT barcode FROM inventory.identifiers
            WHERE tenant_id = i.tenant_id AND item_id = i.id AND barcode IS NOT NULL ORDER BY 1
        ) AS barcodes
        FROM inventory.items i LEFT JOIN inventory.categories c ON c.id = i.category_id""")
    rows = []
    for found in found_rows:
        parts = [found.code, found.name_en, found.name_fr, *found.barcodes]
        words = " ".join(folded(part) for part in parts if part)[:SEARCH_TEXT_LENGTH_MAX]
        category = folded(found.category or "")
        behind = f"{category} {category}" if category else ""
        rows.append({"id": found.id, "search_text": f"{words}\x1f{behind}"})
    _write("UPDATE inventory.items SET search_text = :search_text WHERE id = :id", rows)


def _search_exact_codes_first() -> None:
    """Create the search again, as the owner: under row-level security no trigram index is used.

    First who has the key (rank 3), then who holds every word (2 and how well they fit), and only
    if these are few who resembles the query: comparing by resemblance costs most. The tenant is
    the session's, as everywhere; the function can see no other.
    """
    op.execute("DROP FUNCTION inventory.search_items(text, int)")
    op.execute(f"""
        CREATE FUNCTION inventory.search_items(query text, exact text, words text[], most int)
        RETURNS TABLE (id uuid, rank real) LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
        SET search_path = inventory, public, pg_temp
        SET pg_trgm.word_similarity_threshold = 0.45
        SET plan_cache_mode = force_custom_plan AS $$
        DECLARE
            tenant uuid := {TENANT};
            found uuid[];
            literal int;
        BEGIN
            SELECT array_agg(i.id) INTO found FROM identifiers n
            JOIN items i ON i.tenant_id = n.tenant_id AND i.id = n.item_id AND i.active
            WHERE n.tenant_id = tenant AND n.key = exact;
            RETURN QUERY SELECT f, 3::real FROM unnest(found) f;
            RETURN QUERY
                SELECT i.id, (1 + word_similarity(query, i.search_text))::real FROM (
                    SELECT l.id, l.search_text FROM items l
                    WHERE l.tenant_id = tenant AND l.active AND l.search_text LIKE words[1]
                      AND l.search_text LIKE ALL (words) AND l.id <> ALL (coalesce(found, '{{}}'))
                    ORDER BY length(l.search_text), l.id LIMIT {RANKED_MAX}
                ) i ORDER BY 2 DESC, length(i.search_text), i.id LIMIT most;
            GET DIAGNOSTICS literal = ROW_COUNT;
            IF found IS NULL AND literal < least(most, {FEW}) THEN
                RETURN QUERY
                    SELECT i.id, word_similarity(query, i.search_text) FROM items i
                    WHERE i.tenant_id = tenant AND i.active AND query <% i.search_text
                      AND NOT i.search_text LIKE ALL (words)
                    ORDER BY 2 DESC, length(i.search_text), i.id LIMIT most;
            END IF;
        END $$""")
    op.execute("REVOKE ALL ON FUNCTION inventory.search_items(text, text, text[], int) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION inventory.search_items(text, text, text[], int) TO inventory_app"
    )


def _key(name: str) -> str:
    """Return the key of a text; one in the form of an id, which names an id now, keeps apart."""
    key = identifier_key(name)[:KEY_LENGTH_MAX]
    return f"{key}\x1f" if find_id(name) else key


def _read(statement: str) -> Iterable[Any]:
    return op.get_bind().execute(text(statement))


def _write(statement: str, rows: Iterable[dict[str, Any]]) -> None:
    everything = list(rows)
    for start in range(0, len(everything), BATCH):
        op.get_bind().execute(text(statement), everything[start : start + BATCH])
