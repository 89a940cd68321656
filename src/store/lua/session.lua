-- session: reading and keeping one session's record. Stands before every script that touches a session, after gate and changes.

-- the fields, checked: a record that makes no sense is refused before anything is written. What only some scripts look at is read when it is
-- asked for by name.
-- Returns the record; or nil, where there is none or its time is over, and whether it is unreadable
local function session_of(key, ...)
  local s = redis.pcall('HMGET', key, 'sid', 'ca', 'la', 'exp', 'ver', 'len', 'base', 'rid', 'lu', ...)
  if s.err then return nil, true end
  if not s[1] then
    if s[4] or redis.call('EXISTS', key) == 1 then return nil, true end
    return nil
  end
  for i = 2, 7 do if not s[i] or #s[i] > 17 then return nil, true end end
  if not string.find(table.concat(s, ' ', 2, 7), '^%d+ %d+ %d+ %d+ %d+ %d+$') then return nil, true end
  local r = {sid = s[1], ca = tonumber(s[2]), la = tonumber(s[3]), exp = tonumber(s[4]), ver = tonumber(s[5]), len = tonumber(s[6]),
    base = tonumber(s[7]), rid = s[8] or '', lu = tonumber(s[9] or '0') or 0}
  for i, name in ipairs({...}) do r[name] = s[9 + i] or '' end
  if r.exp <= now then return nil end
  return r
end

-- whether this is the session that a caller means: without a name it is the one that is there
local function is_named(s, name) return name == '' or s ~= nil and s.sid == name end

-- the time of a visit stands in the account, for the session that every user has only: of another one nothing is spared
local function is_main(member) return string.sub(member, -5) == ':main' end

local function fresh(key, sid, max_ms)
  redis.call('HSET', key, 'v', '1', 'sid', sid, 'ca', now, 'la', now, 'exp', now + max_ms, 'ver', 0, 'len', 0, 'base', 0)
  changed(key, 'session_begun', sid, '', '')
  return {sid = sid, ca = now, la = now, exp = now + max_ms, ver = 0, len = 0, base = 0, rid = '', lu = 0, cx = '', dk = '', sl = '', sum = ''}
end

-- the session, or a new one where there is none; what is left of one that ended or was evicted alone is nobody's. nil: unreadable
local function session_or_new(key, history, journal, sid, max_ms)
  local s, bad = session_of(key)
  if s or bad then return s end
  redis.call('DEL', key, history, journal)
  return fresh(key, sid, max_ms)
end

-- TTLs and the index, written together with the data they describe
local function keep(s, idle_ms, keys, member, x, la, sm)
  local ttl = math.max(1, math.min(idle_ms, s.exp - now))
  local ttl_text = string.format('%d', ttl)
  for _, k in ipairs(keys) do redis.call('PEXPIRE', k, ttl_text) end
  redis.call('ZADD', x, string.format('%d', now + ttl), member)
  redis.call('ZADD', la, now_text, member)
  redis.call('HSET', sm, member, string.format('%s|%d|%d', s.sid, s.ca, s.len))
  -- the index cleans itself: a few ended sessions at each visit, no SCAN, no sweeper that correctness needs
  local dead = redis.call('ZRANGE', x, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, 8)
  if #dead > 0 then
    expired(x, sm, dead)
    redis.call('ZREM', x, unpack(dead)); redis.call('ZREM', la, unpack(dead)); redis.call('HDEL', sm, unpack(dead))
  end
end

-- what a caller is told of the session, in a fixed order; the fence counter and the run that holds it last
local function told(s, fence)
  return {s.sid, s.ca, s.la, s.exp, s.ver, s.len, s.base, fence, s.rid ~= '' and s.lu > now and s.rid or ''}
end

