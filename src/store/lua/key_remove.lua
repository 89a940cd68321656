-- key_remove: a caller takes an API key away; it lets nobody in from now on.
-- KEYS 1 account 2 revoked   ARGV 1 token id 2 issued ms 3 requests/min 4 name
-- returns {'OK', 1 removed or 0 there is none of that name} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local removed = 0
each_key(KEYS[1], false, function(field, _, _, _, name)
  if name == ARGV[4] then removed = removed + redis.call('HDEL', KEYS[1], field) end
end)
return {'OK', removed}
