-- forgive: it was the right password. What failed from that address is forgotten; what failed elsewhere is not.
-- KEYS 1 failures for the account 2 those from one address
-- returns 1
redis.call('DEL', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HINCRBY', KEYS[1], 'n', -1) <= 0 then redis.call('DEL', KEYS[1]) end
return 1
