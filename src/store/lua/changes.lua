-- changes: what begins and ends, written down for administrators who watch it just now. Stands before every script in which something does,
-- after clock. While nobody watches, which is almost always, it costs one EXISTS.
local CHANGES_KEPT, CHANGES_KEPT_MS = 1000, 60000

-- what all keys of the bucket begin with that this key is of
local function bucket_of(key) return string.match(key, '^[^}]*}:') or '' end

-- key: one of the user's or of the session's; kind and what is said of it beside the session and the run
local function changed(key, kind, session, run, about)
  local bucket = bucket_of(key)
  if redis.call('EXISTS', bucket .. 'w') == 0 then return end
  local whose = string.match(key, '^[^}]*}:%a+:(.*)$')
  if not whose then return end
  redis.call('XADD', bucket .. 'c', 'MAXLEN', '~', CHANGES_KEPT, '*', 'k', kind, 'u', whose, 's', session, 'r', run, 'a', about)
  redis.call('PEXPIRE', bucket .. 'c', CHANGES_KEPT_MS)
end

-- sessions of the index that nobody used for too long
local function expired(index, summaries, members)
  local bucket = bucket_of(index)
  if redis.call('EXISTS', bucket .. 'w') == 0 then return end
  for _, member in ipairs(members) do
    local session = string.match(redis.call('HGET', summaries, member) or '', '^[^|]*')
    changed(bucket .. 's:' .. member, 'session_ended', session, '', 'expired')
  end
end

