"""Searches step by step: codes, names, words, parts of words, and last what was mistyped.

What a search looks at has sections now (see `sections` below), from which the database makes words.
Words that people write are kept once in a table of their own: what was mistyped is compared with
these few instead of with every item.
"""

from collections.abc import Iterable
from typing import Any

from alembic import op
from sqlalchemy import text

from shared.i18n.folding import folded
from shared.migrations.foundation import TENANT, tenant_table

revision = "0021"
down_revision = "0020"

BATCH = 5_000
ENOUGH = 5  # With fewer hits, parts of words and mistyped ones are looked for too.
RANKED_MAX = 500  # Of items that hold every word, so many are ranked.
ALIKE_MAX = 4  # Words that one may have been meant as.


def upgrade() -> None:
    op.execute("DROP FUNCTION inventory.search_items(text, text, text[], int)")
    _create_words()
    _write_search_texts()
    _create_indexes()
    _create_search()


def _create_words() -> None:
    """Keep each word of names and categories with the row that brought it: two may at once."""
    op.execute(f"""
        CREATE TABLE inventory.search_words (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            word text NOT NULL,
            item_id uuid NOT NULL,
            CONSTRAINT search_words_pkey PRIMARY KEY (tenant_id, word, item_id)
        )""")
    op.execute(
        "CREATE INDEX search_words_alike ON inventory.search_words USING gin (word gin_trgm_ops)"
    )
    tenant_table("inventory", "search_words", "SELECT, INSERT")
    op.execute("""
        CREATE FUNCTION inventory.keep_search_words() RETURNS trigger LANGUAGE plpgsql
        SET search_path = inventory, public, pg_temp AS $$
        BEGIN
            INSERT INTO search_words (tenant_id, word, item_id)
            SELECT DISTINCT ON (i.tenant_id, w.word) i.tenant_id, w.word, i.id
            FROM saved i
            CROSS JOIN LATERAL unnest(string_to_array(concat_ws(' ',
                split_part(i.search_text, chr(31), 2), split_part(i.search_text, chr(31), 3),
                split_part(i.search_text, chr(31), 4)), ' ')) AS w(word)
            WHERE length(w.word) BETWEEN 3 AND 40 AND w.word ~ '[^0-9[:punct:]]'
              AND NOT EXISTS (SELECT FROM search_words k
                              WHERE k.tenant_id = i.tenant_id AND k.word = w.word)
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$""")
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER keep_search_words_on_{event.lower()} AFTER {event} "
            "ON inventory.items REFERENCING NEW TABLE AS saved "
            "FOR EACH STATEMENT EXECUTE FUNCTION inventory.keep_search_words()"
        )


def _write_search_texts() -> None:
    found_rows = _read("""
        SELECT i.id, i.code, i.name_en, i.name_fr, i.description_en, i.description_fr,
               coalesce(c.name_en, c.name_fr) AS category_en,
               coalesce(c.name_fr, c.name_en) AS category_fr
        FROM inventory.items i LEFT JOIN inventory.categories c ON c.id = i.category_id""")
    rows = [{"id": found.id, "search_text": sections(found)} for found in found_rows]
    _write("UPDATE inventory.items SET search_text = :search_text WHERE id = :id", rows)


def sections(found: Any) -> str:  # noqa: ANN401 - a row.
    """Return code, names in both languages, category and descriptions, a mark between them."""
    category = " ".join(folded(name) for name in (found.category_en, found.category_fr) if name)
    described = " ".join(folded(t) for t in (found.description_en, found.description_fr) if t)
    parts = (folded(found.code), folded(found.name_en or ""), folded(found.name_fr or ""))
    return "\x1f".join([*(part[:400] for part in parts), category, described[:1000]])


def _create_indexes() -> None:
    op.execute("""
        CREATE FUNCTION inventory.words_of(search_text text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
            SELECT array_to_tsvector(array_agg(DISTINCT left(word, 60))) FROM (
                SELECT unnest(string_to_array(translate(search_text, chr(31), ' '), ' '))
                UNION
                SELECT unnest(regexp_split_to_array(
                    translate(search_text, chr(31), ' '), '[[:space:][:punct:]]+'))
            ) split(word) WHERE word <> ''
        $$""")
    op.execute(
        "CREATE INDEX items_words ON inventory.items USING gin (inventory.words_of(search_text))"
    )
    for number, language in ((2, "en"), (3, "fr")):
        op.execute(
            f"CREATE INDEX items_named_{language} ON inventory.items "
            f"(tenant_id, split_part(search_text, chr(31), {number}) text_pattern_ops)"
        )
    op.execute(
        "CREATE INDEX identifiers_begin ON inventory.identifiers (tenant_id, key text_pattern_ops)"
    )
    op.execute(
        "CREATE INDEX identifiers_printed ON inventory.identifiers "
        "(tenant_id, barcode text_pattern_ops) WHERE barcode IS NOT NULL"
    )


def _create_search() -> None:
    """Create the search, as the owner: under row-level security no trigram index is used.

    Each step looks for no more than is still missing, and the dear ones come only if the others
    found few. The tenant is the session's, as everywhere; the function can see no other.
    """
    op.execute("""
        CREATE FUNCTION inventory.quoted_word(word text) RETURNS text LANGUAGE sql IMMUTABLE
        SET search_path = pg_catalog AS $$
            SELECT '''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || ''''
        $$""")
    op.execute("""
        CREATE FUNCTION inventory.like_pattern(word text) RETURNS text LANGUAGE sql IMMUTABLE
        SET search_path = pg_catalog AS $$
            SELECT regexp_replace(word, '([\\\\%_])', '\\\\\\1', 'g')
        $$""")
    op.execute(_SEARCH)
    signature = "inventory.search_items(text, text, text, text[], int)"
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO inventory_app")


def _read(statement: str) -> Iterable[Any]:
    return op.get_bind().execute(text(statement))


def _write(statement: str, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), BATCH):
        op.get_bind().execute(text(statement), rows[start : start + BATCH])


_SEARCH = f"""
CREATE FUNCTION inventory.search_items(
    query text, exact text, code text, words text[], most int)
RETURNS TABLE (id uuid, place int) LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
SET search_path = inventory, public, pg_temp
SET pg_trgm.similarity_threshold = 0.25
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    tenant uuid := {TENANT};
    hits uuid[] := '{{}}';
    more uuid[];
    asked tsquery;
    parts text[];
BEGIN
    -- The one that has it as its code or barcode, then codes and barcodes that begin so.
    SELECT array_agg(i.id) INTO more FROM identifiers n
    JOIN items i ON i.tenant_id = n.tenant_id AND i.id = n.item_id AND i.active
    WHERE n.tenant_id = tenant AND n.key = exact;
    hits := hits || coalesce(more, '{{}}');
    SELECT array_agg(f.id ORDER BY f.key) INTO more FROM (
        SELECT i.id, min(b.key) AS key FROM (
            (SELECT n.item_id, n.key FROM identifiers n
             WHERE n.tenant_id = tenant AND n.key LIKE like_pattern(code) || '%'
               AND n.is_code ORDER BY n.key LIMIT 2 * most)
            UNION ALL
            (SELECT n.item_id, n.barcode FROM identifiers n
             WHERE n.tenant_id = tenant AND n.barcode LIKE like_pattern(code) || '%'
               AND length(code) > 3 ORDER BY n.barcode LIMIT 2 * most)
        ) b JOIN items i ON i.tenant_id = tenant AND i.id = b.item_id AND i.active
        WHERE i.id <> ALL (hits) GROUP BY i.id ORDER BY 2 LIMIT most
    ) f;
    hits := hits || coalesce(more, '{{}}');
    -- Names that begin so.
    IF cardinality(hits) < most THEN
        SELECT array_agg(f.id ORDER BY f.name, f.id) INTO more FROM (
            SELECT b.id, min(b.name) AS name FROM (
                (SELECT i.id, split_part(i.search_text, chr(31), 2) AS name FROM items i
                 WHERE i.tenant_id = tenant AND i.active
                   AND split_part(i.search_text, chr(31), 2) LIKE like_pattern(query) || '%'
                 ORDER BY split_part(i.search_text, chr(31), 2) USING ~<~ LIMIT 2 * most)
                UNION ALL
                (SELECT i.id, split_part(i.search_text, chr(31), 3) FROM items i
                 WHERE i.tenant_id = tenant AND i.active
                   AND split_part(i.search_text, chr(31), 3) LIKE like_pattern(query) || '%'
                 ORDER BY split_part(i.search_text, chr(31), 3) USING ~<~ LIMIT 2 * most)
            ) b WHERE b.id <> ALL (hits) GROUP BY b.id ORDER BY 2 LIMIT most
        ) f;
        hits := hits || coalesce(more, '{{}}');
    END IF;
    -- Every word begins a word: first in code and names, then in category or description.
    IF cardinality(hits) < most AND cardinality(words) > 0 THEN
        SELECT string_agg(quoted_word(w) || CASE WHEN length(w) > 2
            OR length(w) = 2 AND w ~ '[^0-9]' THEN ':*' ELSE '' END, ' & ')::tsquery
        INTO asked FROM unnest(words) w;
        SELECT array_agg(f.id ORDER BY f.elsewhere, f.len, f.id) INTO more FROM (
            SELECT i.id, length(i.search_text) AS len, (
                SELECT count(*) FROM unnest(words) w WHERE ' ' || translate(left(
                    i.search_text, length(i.search_text) - length(split_part(
                        i.search_text, chr(31), 4)) - length(split_part(
                        i.search_text, chr(31), 5))), chr(31), ' ')
                    NOT LIKE '% ' || like_pattern(w) || '%') AS elsewhere
            FROM (SELECT l.id, l.search_text FROM items l
                  WHERE l.tenant_id = tenant AND l.active
                    AND words_of(l.search_text) @@ asked AND l.id <> ALL (hits)
                  LIMIT {RANKED_MAX}) i
            ORDER BY elsewhere, len, i.id LIMIT most
        ) f;
        hits := hits || coalesce(more, '{{}}');
    END IF;
    -- Few so far: every word stands somewhere in a word. Digits alone stand in too many.
    SELECT array_agg('%' || like_pattern(w) || '%' ORDER BY length(w) DESC) INTO parts
    FROM unnest(words) w WHERE length(w) > 2;
    IF cardinality(hits) < least(most, {ENOUGH}) AND cardinality(parts) > 0
            AND parts[1] ~ '[^0-9%]' THEN
        SELECT array_agg(f.id ORDER BY f.len, f.id) INTO more FROM (
            SELECT l.id, length(l.search_text) AS len FROM items l
            WHERE l.tenant_id = tenant AND l.active AND l.search_text LIKE parts[1]
              AND l.search_text LIKE ALL (parts) AND l.id <> ALL (hits)
              AND NOT EXISTS (
                  SELECT FROM unnest(words) w WHERE strpos(l.search_text, w) = 0)
            LIMIT {RANKED_MAX}
        ) f;
        hits := hits || coalesce(more, '{{}}');
    END IF;
    -- Still few: words that were mistyped are taken for those that are most like them, and
    -- numbers and single letters need not fit.
    IF cardinality(hits) < least(most, {ENOUGH}) THEN
        SELECT string_agg('(' || concat_ws(' | ', quoted_word(w) || ':*', (
            SELECT string_agg(quoted_word(a.word), ' | ') FROM (
                SELECT k.word FROM (
                    SELECT DISTINCT s.word FROM search_words s
                    WHERE s.tenant_id = tenant AND s.word % w
                ) k ORDER BY similarity(k.word, w) DESC, k.word LIMIT {ALIKE_MAX}
            ) a)) || ')', ' & ')::tsquery
        INTO asked FROM unnest(words) w WHERE length(w) > 2 AND w ~ '[^0-9]';
        SELECT array_agg(f.id ORDER BY f.alike DESC, f.len, f.id) INTO more FROM (
            SELECT i.id, length(i.search_text) AS len,
                   word_similarity(query, i.search_text) AS alike
            FROM (SELECT l.id, l.search_text FROM items l
                  WHERE l.tenant_id = tenant AND l.active
                    AND words_of(l.search_text) @@ asked AND l.id <> ALL (hits)
                  LIMIT {RANKED_MAX}) i
            ORDER BY alike DESC, len, i.id LIMIT most
        ) f;
        hits := hits || coalesce(more, '{{}}');
    END IF;
    RETURN QUERY SELECT h.id, h.place::int
        FROM unnest(hits) WITH ORDINALITY h(id, place) ORDER BY h.place LIMIT most;
END $$"""
