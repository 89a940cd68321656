-- release: a begin whose answer was lost is undone, if it was this very begin that was done and nobody has come after it. It never takes a
-- lease, so it can neither end nor repeat another's run.
-- KEYS 1 session 2 journal 3 idempotency record (= 2: none)
-- ARGV 1 run 2 owner
-- returns 1 undone | 0 there was nothing of it
local s = redis.pcall('HMGET', KEYS[1], 'rid', 'own')
if s.err or s[2] ~= ARGV[2] then return 0 end
-- it took over the run of a dead holder: that run's journal stays for whoever comes next
if s[1] ~= ARGV[1] then redis.call('HSET', KEYS[1], 'own', '', 'tok', '', 'lu', 0) return 1 end
-- the caller was told that nothing was begun, so what it asked is not kept; what others left in the journal is
redis.call('HDEL', KEYS[2], ARGV[1] .. '|in')
if redis.call('HLEN', KEYS[2]) == 0 then redis.call('HSET', KEYS[1], 'rid', '', 'own', '', 'tok', '', 'lu', 0)
else redis.call('HSET', KEYS[1], 'own', '', 'tok', '', 'lu', 0) end
if KEYS[3] ~= KEYS[2] then
  local raw = redis.call('GET', KEYS[3])
  if raw then
    local whole, known = pcall(cmsgpack.unpack, raw)
    if whole and type(known) == 'table' and known.r == ARGV[1] and not known.d then redis.call('DEL', KEYS[3]) end
  end
end
return 1
