-- count: sessions of one bucket, exact on Redis's own clock.
-- KEYS 1 x   returns {listed, alive}
return {redis.call('ZCARD', KEYS[1]), redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')}
