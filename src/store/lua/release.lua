-- release: a begin whose answer was lost is undone, if it was this very begin that was done and nobody has come after it. It never takes a
-- lease, so it can neither end nor repeat another's run. A run that waits is taken out of the queue.
-- KEYS 1 session 2 journal 3 idempotency record (= 2: none) 4 waiting 5 open
-- ARGV 1 run 2 owner 3 member
-- returns 1 undone | 0 there was nothing of it
local s = redis.pcall('HMGET', KEYS[1], 'rid', 'own')
if s.err then return 0 end
local undone = 0
if s[1] == ARGV[1] and s[2] == ARGV[2] then
  -- the caller was told that nothing was begun, so what it asked is not kept
  redis.call('HDEL', KEYS[2], ARGV[1] .. '|in')
  redis.call('HSET', KEYS[1], 'rid', '', 'own', '', 'tok', '', 'lu', 0)
  redis.call('ZADD', KEYS[5], now, ARGV[3])   -- somebody may have begun to wait for it
  undone = 1
else
  local _, _, _, entry = waits_at(KEYS[4], ARGV[1])
  if entry then undone = redis.call('LREM', KEYS[4], 1, entry) end
end
if undone == 1 and KEYS[3] ~= KEYS[2] then
  local raw = redis.call('GET', KEYS[3])
  if raw then
    local whole, known = pcall(cmsgpack.unpack, raw)
    if whole and type(known) == 'table' and known.r == ARGV[1] and not known.d then redis.call('DEL', KEYS[3]) end
  end
end
return undone
