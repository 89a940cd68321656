-- key_list: a caller's API keys that have not ended.
-- KEYS 1 account 2 revoked   ARGV 1 token id 2 issued ms 3 requests/min
-- returns {'OK', {{made, ends, scopes, name}, …}} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local found = {}
each_key(KEYS[1], false, function(_, made, ends, scopes, name) found[#found + 1] = {made, ends, scopes, name} end)
return {'OK', found}
