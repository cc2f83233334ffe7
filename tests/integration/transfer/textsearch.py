"""textsearch.py: words for text search that the other major makes otherwise are named before anything is moved, and nothing else."""
import moves

HOSTILE = '"; drop $(rm)'
SQL = """
    create table public.page (id int primary key, body text, "%(h)s" text, v tsvector, w tsvector, d tsvector,
        g tsvector generated always as (to_tsvector('german', coalesce(body, ''))) stored,
        s tsvector generated always as (to_tsvector('simple', coalesce(body, ''))) stored);
    create trigger by_server before insert or update on public.page for each row execute function
        tsvector_update_trigger(v, 'pg_catalog.german', body, "%(h)s");
    create trigger unchanged before insert or update on public.page for each row execute function
        tsvector_update_trigger(w, 'pg_catalog.danish', body);
    create index by_words on public.page using gin (to_tsvector('german', body));
    create index by_simple on public.page using gin (to_tsvector('simple', body));
    create index of_data on public.page using gin (v);
    create materialized view public.words as select id, to_tsvector('german', body) as t from public.page;
    create materialized view public.others as select id from public.page;
    create table public.plain (t text);
    insert into public.page (id, body, d) values (1, 'Bildhauerin', 'bildhauerin');"""


def lines(source, db, target):
    out, _ = moves.copy(source, db, target, f"{moves.MARK}_never", "--check")
    assert "it can go there" in out, out
    return [line for line in out.splitlines() if "words for text search" in line]


def made(source, name):
    db = moves.make(source, f"{moves.MARK}_{name}_{source}")
    moves.psql(source, db, SQL % {"h": HOSTILE.replace('"', '""')})
    return db


def test_all_are_named(source, target):
    db = made(source, "words")
    said = lines(source, db, target)
    want = (("column v of table public.page", "(german)", "update public.page set body = body"), ("column d of table public.page", "(if they are ", "have the application"),
            ("column g of table public.page", "(german)", "the proof counts"), ("index public.by_words", "(german)", "is built anew"),
            ("materialized view public.words", "(german)", "is filled anew"))
    for words in want:
        assert any(all(w in line for w in words) for line in said), (words, said)
    assert len(said) == len(want), said
    # What was said is what is to be done: the trigger's words are those of the target then, and were not before.
    into = f"{moves.MARK}_words_to_{target}"
    moves.copy(source, db, target, into)
    fresh = "select count(*) from public.page where v @@ to_tsquery('german', 'Bildhauerin')"
    assert moves.psql(target, into, fresh) == "0" and moves.psql(source, db, fresh) == "1"
    moves.psql(target, into, "update public.page set body = body")
    assert moves.psql(target, into, fresh) == "1"


def test_without_a_change_nothing_is_said(source, target):
    assert lines(source, made(source, "same_words"), target) == []


for pair in ((17, 18), (18, 19), (19, 17)):
    moves.need(*pair)
    if pair != (18, 19):        # the word is one that came with 18
        test_all_are_named(*pair)
for pair in ((14, 17), (18, 18)):
    moves.need(*pair)
    test_without_a_change_nothing_is_said(*pair)
