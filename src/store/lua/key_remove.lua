-- key_remove: a caller takes an API key away; it lets nobody in from now on, and the run that was begun with it is to stop. One that waits finds
-- out when it is taken (begun_with).
-- KEYS 1 account 2 revoked 3 session   ARGV 1 token id 2 issued ms 3 requests/min 4 name
-- returns {'OK', 1 removed or 0 there is none of that name, the run that is told to stop or '', ms left of its lease} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local removed, run, left = 0, '', 0
each_key(KEYS[1], false, function(field, _, _, _, name)
  if name ~= ARGV[4] then return end
  removed = removed + redis.call('HDEL', KEYS[1], field)
  -- a session that cannot be read runs nothing
  local s = redis.pcall('HMGET', KEYS[3], 'rid', 'by', 'lu', 'cx')
  if not s.err and s[1] and s[1] ~= '' and s[2] == s[1] .. '|' .. field then
    run, left = s[1], math.max(0, (tonumber(s[3] or '0') or 0) - now)
    if not s[4] then redis.call('HSET', KEYS[3], 'cx', 'revoked') end
  end
end)
return {'OK', removed, run, left}
