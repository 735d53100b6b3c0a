/**
 * The functions that write, one round trip and one transaction per batch. `write_batch` is what a store calls. It writes by whole arrays what its worker knows to be right, and hands
 * everything else to `write_carefully`, one by one, in order.
 *
 * Locks are always taken in this order: the lines for locks, lanes by number, sagas by position. A saga that one worker takes from another one is taken with that worker's lanes locked and counted up:
 * its batches before have ended by then, and the next one notices before it writes. Each statement of a function sees what was committed before it: sessions run READ COMMITTED.
 */
export function writingSchema(schema: string): string {
  return `
CREATE FUNCTION ${schema}.present() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- Whom a saga is taken from by this worker, if it is: see what counts up the lanes, which are locked for it.
CREATE FUNCTION ${schema}.taken_from(former bigint, in_worker bigint, locked bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF former IS NULL OR former = in_worker THEN RETURN NULL; END IF;
  -- It came to drive the saga, or to write on another lane, after the lanes were locked.
  IF EXISTS (SELECT 1 FROM ${schema}.lanes WHERE worker = former AND lane <> ALL (locked)) THEN
    RAISE serialization_failure;
  END IF;
  RETURN former;
END
$$;

CREATE FUNCTION ${schema}.make_heirs_due(gone_position bigint, gone_name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  heir record;
BEGIN
  SELECT position, saga INTO heir FROM ${schema}.lock_places WHERE name = gone_name ORDER BY position LIMIT 1;
  -- One that stood behind somebody else leaves nobody a lock.
  IF NOT FOUND OR heir.position < gone_position THEN RETURN false; END IF;
  UPDATE ${schema}.sagas SET wake_at = least(coalesce(wake_at, ${schema}.present()), ${schema}.present()) WHERE position = heir.saga;
  RETURN true;
END
$$;

CREATE FUNCTION ${schema}.first_in_line(of_name text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT saga FROM ${schema}.lock_places WHERE name = of_name ORDER BY position LIMIT 1
$$;

-- Takes a saga out of the lines that are not listed, and puts it into those that are. Whether another saga came to hold a lock by that.
CREATE FUNCTION ${schema}.take_places(of_saga bigint, listed text[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  gone record;
  handed boolean := false;
BEGIN
  FOR gone IN DELETE FROM ${schema}.lock_places WHERE saga = of_saga AND name <> ALL (listed) RETURNING position, name LOOP
    handed := ${schema}.make_heirs_due(gone.position, gone.name) OR handed;
  END LOOP;
  INSERT INTO ${schema}.lock_places (name, saga) SELECT DISTINCT name, of_saga FROM unnest(listed) AS name ON CONFLICT DO NOTHING;
  RETURN handed;
END
$$;

CREATE FUNCTION ${schema}.append_one(item jsonb, in_worker bigint, locked bigint[], in_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  stored record;
  new_sequence integer := (item->>'sequence')::integer;
  new_status smallint := (item->>'status')::smallint;
  new_wake bigint := (item->>'wakeAt')::bigint;
  new_driver bigint;
  ends boolean := new_status >= 3;
  ended bigint;
  held text[];
  wanted text[];
  place bigint;
  next_sequence integer := 0;
  name_taken text;
  former bigint;
  handed boolean := false;
BEGIN
  SELECT position, epoch, driver INTO stored FROM ${schema}.sagas WHERE saga_id = item->>'id' FOR UPDATE;
  IF FOUND THEN
    SELECT coalesce(max(sequence) + 1, 0) INTO next_sequence FROM ${schema}.records WHERE saga = stored.position;
  END IF;
  place := stored.position;
  -- The creator has no epoch to lose: it meets the saga that is already there, whoever owns that one now.
  IF new_sequence = 0 AND next_sequence > 0 THEN RETURN jsonb_build_array('sequence', next_sequence); END IF;
  IF (item->>'epoch')::integer <> coalesce(stored.epoch, 1) THEN RETURN jsonb_build_array('epoch', coalesce(stored.epoch, 1)); END IF;
  IF new_sequence <> next_sequence THEN RETURN jsonb_build_array('sequence', next_sequence); END IF;

  IF item ? 'held' AND NOT ends THEN
    held := ARRAY(SELECT jsonb_array_elements_text(item->'held'));
    wanted := ARRAY(SELECT jsonb_array_elements_text(item->'wanted'));
    FOREACH name_taken IN ARRAY held LOOP
      IF ${schema}.first_in_line(name_taken) <> coalesce(place, -1) THEN
        RETURN jsonb_build_array('refused', format('another saga than %s holds the lock %s', item->>'id', name_taken));
      END IF;
    END LOOP;
    -- A saga that is first in line for what it waits for is due: it can go on.
    FOREACH name_taken IN ARRAY wanted LOOP
      IF coalesce(${schema}.first_in_line(name_taken), place) IS NOT DISTINCT FROM place THEN
        new_wake := least(coalesce(new_wake, ${schema}.present()), ${schema}.present());
      END IF;
    END LOOP;
  END IF;

  former := ${schema}.taken_from(stored.driver, in_worker, locked);
  IF ends THEN
    new_wake := NULL;
    ended := greatest(${schema}.present(), in_now);
  ELSIF NOT (item->>'leaves')::boolean THEN
    new_driver := in_worker;
  END IF;
  IF place IS NULL THEN
    INSERT INTO ${schema}.sagas (saga_id, name, version, status, wake_at, ended_at, epoch, driver, length, claims, claims_at, started_at)
    VALUES (item->>'id', item->>'name', (item->>'version')::bigint, new_status, new_wake, ended, 1, new_driver, 1, 0, 0, ${schema}.present())
    ON CONFLICT (saga_id) DO NOTHING RETURNING position INTO place;
    -- Somebody else created it just now.
    IF place IS NULL THEN RAISE serialization_failure; END IF;
  ELSE
    UPDATE ${schema}.sagas
    SET status = new_status, wake_at = new_wake, ended_at = ended, driver = new_driver, wanted = sagas.wanted AND new_driver IS NOT NULL, length = new_sequence + 1
    WHERE position = place;
  END IF;
  IF ends THEN
    handed := ${schema}.take_places(place, '{}');
  ELSIF held IS NOT NULL THEN
    handed := ${schema}.take_places(place, held || wanted);
  END IF;
  INSERT INTO ${schema}.records (saga, sequence, epoch, checksum, record)
  VALUES (place, new_sequence, (item->>'epoch')::integer, (item->>'checksum')::integer, item->>'record');
  PERFORM ${schema}.insert_events(item->'events');
  RETURN jsonb_build_array('ok', place, EXISTS (SELECT 1 FROM ${schema}.lock_places WHERE saga = place), handed, former);
END
$$;

CREATE FUNCTION ${schema}.insert_events(events jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO ${schema}.outbox (id, type, source, subject, time, saga_id, data)
  SELECT event->>0, event->>1, event->>2, event->>3, event->>4, event->>5, event->>6
  FROM jsonb_array_elements(events) WITH ORDINALITY AS each (event, place) ORDER BY place
$$;

-- Of a journal that was read before: it is claimed as it was read, or not at all.
CREATE FUNCTION ${schema}.claim_one(item jsonb, in_worker bigint, locked bigint[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  stored record;
  next_sequence integer;
  new_claims integer;
  former bigint;
  lease bigint;
  new_want boolean;
BEGIN
  SELECT * INTO stored FROM ${schema}.sagas WHERE saga_id = item->>'id' FOR UPDATE;
  IF NOT FOUND THEN RETURN '["moved"]'; END IF;
  IF stored.driver <> in_worker THEN
    SELECT until INTO lease FROM ${schema}.workers WHERE worker = stored.driver AND until > ${schema}.present();
    IF FOUND THEN
      new_want := (item->>'want')::boolean AND NOT stored.wanted;
      IF new_want THEN UPDATE ${schema}.sagas SET wanted = true WHERE position = stored.position; END IF;
      RETURN jsonb_build_array('driven', lease, NULL, new_want);
    END IF;
  END IF;
  SELECT coalesce(max(sequence) + 1, 0) INTO next_sequence FROM ${schema}.records WHERE saga = stored.position;
  IF stored.epoch <> (item->>'epoch')::integer OR next_sequence <> (item->>'sequence')::integer THEN RETURN '["moved"]'; END IF;
  former := ${schema}.taken_from(stored.driver, in_worker, locked);
  new_claims := CASE WHEN stored.claims_at = next_sequence THEN stored.claims + 1 ELSE 1 END;
  UPDATE ${schema}.sagas
  SET epoch = epoch + 1,
      driver = CASE WHEN ended_at IS NULL THEN in_worker END,
      wanted = false,
      length = next_sequence,
      claims = new_claims,
      claims_at = next_sequence
  WHERE position = stored.position;
  RETURN jsonb_build_array('ok', stored.position, EXISTS (SELECT 1 FROM ${schema}.lock_places WHERE saga = stored.position), new_claims, former);
END
$$;

CREATE FUNCTION ${schema}.remove_ended(ids text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  positions bigint[];
BEGIN
  -- By position, so that two that remove the same sagas wait for each other and never both ways.
  positions := ARRAY(SELECT position FROM ${schema}.sagas WHERE saga_id = ANY (ids) AND ended_at IS NOT NULL ORDER BY position FOR UPDATE);
  WITH gone AS (DELETE FROM ${schema}.sagas WHERE position = ANY (positions) AND ended_at IS NOT NULL RETURNING position)
  SELECT array_agg(position) INTO positions FROM gone;
  DELETE FROM ${schema}.records WHERE saga = ANY (positions);
  RETURN jsonb_build_array('ok', coalesce(cardinality(positions), 0));
END
$$;

CREATE FUNCTION ${schema}.write_carefully(items jsonb, in_worker bigint, locked bigint[], in_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  item jsonb;
  result jsonb;
  results jsonb[] := '{}';
  handed boolean := false;
  losers bigint[] := '{}';
BEGIN
  FOR item IN SELECT value FROM jsonb_array_elements(items) LOOP
    BEGIN
      CASE item->>'kind'
        WHEN 'append' THEN result := ${schema}.append_one(item, in_worker, locked, in_now);
        WHEN 'claim' THEN result := ${schema}.claim_one(item, in_worker, locked);
        WHEN 'remove' THEN result := ${schema}.remove_ended(ARRAY(SELECT jsonb_array_elements_text(item->'ids')));
        WHEN 'release' THEN
          UPDATE ${schema}.sagas SET driver = NULL, wanted = false WHERE saga_id = item->>'id' AND driver = in_worker;
          result := '["ok"]';
      END CASE;
    -- Nothing of this one stands, and the others are not concerned.
    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR program_limit_exceeded THEN
      result := jsonb_build_array('refused', SQLERRM);
    END;
    -- Whoever has come to hold a lock, or is wanted, is told.
    IF item->>'kind' = 'append' OR result->>0 = 'driven' THEN handed := handed OR coalesce((result->>3)::boolean, false); END IF;
    IF (result->>4) IS NOT NULL THEN losers := losers || (result->>4)::bigint; END IF;
    results := results || result;
  END LOOP;
  -- Once for all that was taken: their lanes are locked until the end.
  IF cardinality(losers) > 0 THEN UPDATE ${schema}.lanes SET taken = taken + 1 WHERE worker = ANY (losers); END IF;
  IF handed THEN PERFORM pg_notify('${channelOf(schema)}', ''); END IF;
  RETURN to_jsonb(results);
END
$$;

-- Locks this lane and those of the workers from which sagas may be taken.
CREATE FUNCTION ${schema}.lock_lanes(items jsonb, in_worker bigint, in_lane bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  others bigint[];
BEGIN
  others := ARRAY(
    SELECT DISTINCT sagas.driver FROM jsonb_array_elements(items) AS item
    JOIN ${schema}.sagas ON sagas.saga_id = item->>'id'
    WHERE item->>'kind' IN ('append', 'claim') AND sagas.driver <> in_worker
      AND (item->>'kind' = 'append'
        OR NOT EXISTS (SELECT 1 FROM ${schema}.workers WHERE workers.worker = sagas.driver AND workers.until > ${schema}.present()))
  );
  RETURN ARRAY(SELECT lane FROM ${schema}.lanes WHERE lane = in_lane OR worker = ANY (others) ORDER BY lane FOR UPDATE);
END
$$;

-- new_…: sagas that start. rec_…: records of sagas that this worker drives. mov_…: what changes in the rows of such sagas. events: those of all these. items: everything else.
-- The least bigint stands for null.
CREATE FUNCTION ${schema}.write_batch(
  in_worker bigint, in_lane bigint, in_batch bigint, in_taken bigint, in_now bigint, in_lines boolean,
  new_id text[], new_name text[], new_version bigint[], new_status integer[], new_wake bigint[], new_driver bigint[], new_checksum integer[], new_record text[],
  rec_saga bigint[], rec_sequence integer[], rec_epoch integer[], rec_checksum integer[], rec_record text[],
  mov_saga bigint[], mov_length integer[], mov_status integer[], mov_wake bigint[], mov_driver bigint[],
  events jsonb, items jsonb,
  OUT outcome text, OUT clock double precision, OUT took double precision, OUT positions text, OUT results jsonb
) LANGUAGE plpgsql AS $$
DECLARE
  none CONSTANT bigint := -9223372036854775808;
  present CONSTANT bigint := ${schema}.present();
  locked bigint[];
  places bigint[];
BEGIN
  IF items IS NOT NULL THEN
    IF in_lines THEN PERFORM pg_advisory_xact_lock(hashtextextended('${channelOf(schema)}', 1)); END IF;
    locked := ${schema}.lock_lanes(items, in_worker, in_lane);
  END IF;
  UPDATE ${schema}.lanes SET batch = in_batch, answer = NULL, seen_at = now()
  WHERE lane = in_lane AND batch = in_batch - 1 AND taken = in_taken AND NOT fenced;
  IF NOT FOUND THEN
    SELECT CASE WHEN fenced OR batch <> in_batch - 1 THEN 'fenced' ELSE 'taken' END, taken INTO outcome, positions
    FROM ${schema}.lanes WHERE lane = in_lane;
    IF NOT FOUND THEN outcome := 'fenced'; END IF;
    clock := extract(epoch FROM clock_timestamp()) * 1000;
    took := clock - extract(epoch FROM statement_timestamp()) * 1000;
    RETURN;
  END IF;
  IF items IS NOT NULL THEN
    -- In one order, whatever the order of the calls: two workers that come for the same sagas do not wait for each other both ways.
    PERFORM 1 FROM ${schema}.sagas WHERE saga_id = ANY (ARRAY(SELECT item->>'id' FROM jsonb_array_elements(items) AS item)) ORDER BY position FOR UPDATE;
  END IF;
  IF cardinality(new_id) > 0 THEN
    WITH made AS (
      INSERT INTO ${schema}.sagas (saga_id, name, version, status, wake_at, ended_at, epoch, driver, length, claims, claims_at, started_at)
      SELECT id, name, version, status, CASE WHEN status < 3 THEN nullif(wake, none) END, CASE WHEN status >= 3 THEN greatest(present, in_now) END,
        1, nullif(driver, none), 1, 0, 0, present
      FROM unnest(new_id, new_name, new_version, new_status, new_wake, new_driver) WITH ORDINALITY AS each (id, name, version, status, wake, driver, place)
      ORDER BY place
      RETURNING position
    )
    SELECT array_agg(position ORDER BY position) INTO places FROM made;
    INSERT INTO ${schema}.records (saga, sequence, epoch, checksum, record)
    SELECT saga, 0, 1, checksum, record FROM unnest(places, new_checksum, new_record) AS each (saga, checksum, record);
    positions := array_to_string(places, ',');
  END IF;
  IF cardinality(rec_saga) > 0 THEN
    INSERT INTO ${schema}.records (saga, sequence, epoch, checksum, record)
    SELECT saga, sequence, epoch, checksum, record
    FROM unnest(rec_saga, rec_sequence, rec_epoch, rec_checksum, rec_record) AS each (saga, sequence, epoch, checksum, record);
  END IF;
  IF cardinality(mov_saga) > 0 THEN
    UPDATE ${schema}.sagas
    SET status = each.status, wake_at = CASE WHEN each.status < 3 THEN nullif(each.wake, none) END,
      ended_at = CASE WHEN each.status >= 3 THEN greatest(present, in_now) END, driver = nullif(each.driver, none),
      wanted = sagas.wanted AND each.driver <> none, length = each.length
    FROM unnest(mov_saga, mov_length, mov_status, mov_wake, mov_driver) AS each (saga, length, status, wake, driver)
    WHERE position = each.saga;
  END IF;
  IF events IS NOT NULL THEN PERFORM ${schema}.insert_events(events); END IF;
  IF items IS NOT NULL THEN
    results := ${schema}.write_carefully(items, in_worker, locked, in_now);
    UPDATE ${schema}.lanes SET answer = results WHERE lane = in_lane;
  END IF;
  outcome := 'written';
  clock := extract(epoch FROM clock_timestamp()) * 1000;
  took := clock - extract(epoch FROM statement_timestamp()) * 1000;
END
$$;
`;
}

/** The channel of notices, and the key of the lock on the lines: the schema's name. */
export function channelOf(schema: string): string {
  return `backstep:${schema.replaceAll('"', "")}`;
}
