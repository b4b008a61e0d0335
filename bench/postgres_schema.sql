-- What the compared jobs need on PostgreSQL, and no more: no index that no job asks.

-- A row is spent from by everybody, so its page has room for many versions of it.
CREATE TABLE quota (tenant int PRIMARY KEY, used bigint NOT NULL, quota bigint NOT NULL) WITH (fillfactor = 10);

-- Several callers that wait at once, in one statement: each is let pass or not in the order in which they came.
CREATE FUNCTION spend(whose int, costs bigint[]) RETURNS boolean[] LANGUAGE plpgsql AS $$
DECLARE
  taken bigint; most bigint; passes boolean[] := '{}'; cost bigint;
BEGIN
  SELECT used, quota INTO taken, most FROM quota WHERE tenant = whose FOR UPDATE;
  FOREACH cost IN ARRAY costs LOOP
    passes := passes || (taken + cost <= most);
    IF taken + cost <= most THEN taken := taken + cost; END IF;
  END LOOP;
  UPDATE quota SET used = taken WHERE tenant = whose;
  RETURN passes;
END $$;

-- The same technique as VeloFlux' own: 64 bits of a digest of tenant, source and id, and 15 of the content's.
CREATE TABLE seen (digest bigint PRIMARY KEY, content smallint NOT NULL);

-- As it is commonly done: the id itself. Only its size is measured.
CREATE TABLE seen_by_id (
  tenant int, source text, id text, content smallint NOT NULL, PRIMARY KEY (tenant, source, id)
);

-- Each connection adds to rows of its own (`part`), else all would wait for one row; who reads sums them.
CREATE TABLE usage (
  tenant int, meter smallint, quarter int, part smallint, amount bigint NOT NULL,  -- quarters of an hour since 1970
  PRIMARY KEY (tenant, meter, quarter, part)
) WITH (fillfactor = 50);

CREATE TABLE users (id text PRIMARY KEY, name text, email text, language text, epoch int NOT NULL);
CREATE TABLE sessions (
  digest bytea PRIMARY KEY, person text NOT NULL, epoch int NOT NULL, factors text NOT NULL, via text NOT NULL,
  ends_at timestamptz NOT NULL, idle_at timestamptz NOT NULL, seen_at timestamptz NOT NULL
);

CREATE TABLE documents (tenant int, id text, body jsonb NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE events (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  commit_id text UNIQUE NOT NULL, tenant int NOT NULL, kind text NOT NULL, data jsonb NOT NULL, published boolean NOT NULL
);
