-- From state[4], the seen state of the tenant, `real`, and what the caller says: `known`, the state as it takes it;
-- `fresh`, the buckets of a new generation if one is due, else ''; `seen_ms`, how long the plan remembers.
-- `seen_stale`: it is wrong about either. `lives_until`: the end of the present generation's buckets, ms. `longer`: the
-- buckets that there are have an earlier end, because the plan remembered less. `before`: there was a generation before.
-- A bucket of up to 128 entries is compact with every server's defaults (hash-max-listpack-entries).
local BUCKET_MAX, BUCKET_FULL = 128, 80
local number, since, buckets, others, lives = string.match(known, '(%d+):(%d+):(%d+):(%d+):(%d+)')
local due = not number or real >= since + seen_ms
local seen_stale = (state[4] or '') ~= known or due ~= (fresh ~= '')
local lives_until = string.format('%.0f', (due and real or since) + 2 * seen_ms)
local longer = not due and seen_ms > tonumber(lives)
local before = (due and buckets or others or '0') ~= '0'
local seen_next = due and string.format('%d:%.0f:%s:%s:%.0f', (number or 0) + 1, real, fresh, buckets or 0, seen_ms)
