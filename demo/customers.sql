-- 10,000 customers of a shop, the same ones at every run. Three of them have an e-mail address that no CRM takes.
CREATE TABLE customers (
    id         int PRIMARY KEY,
    first_name text NOT NULL,
    last_name  text NOT NULL,
    email      text NOT NULL UNIQUE,
    vip        boolean NOT NULL
);

INSERT INTO customers
SELECT id,
       first_name,
       last_name,
       CASE id
           WHEN 1 THEN 'ada@example.com'
           WHEN 2717 THEN 'grace.hopper(at)example.com'
           WHEN 5186 THEN 'no e-mail'
           WHEN 8080 THEN 'alan.turing'
           ELSE lower(format('%s.%s.%s@example.com', first_name, last_name, id))
       END,
       id % 20 = 1
FROM generate_series(1, 10000) AS id,
     LATERAL (SELECT (ARRAY['Ada', 'Alan', 'Barbara', 'Dennis', 'Donald', 'Edgar', 'Frances', 'Grace', 'Hedy', 'John',
                            'Katherine', 'Leslie', 'Margaret', 'Niklaus', 'Radia', 'Tim'])[1 + (id - 1) * 7 % 16] AS first_name,
                     (ARRAY['Backus', 'Berners', 'Codd', 'Goldberg', 'Hamilton', 'Johnson', 'Knuth', 'Lamarr', 'Lamport',
                            'Liskov', 'Lovelace', 'Perlman', 'Shannon', 'Turing', 'Wirth', 'Young',
                            'Allen'])[1 + (id + 1) * 5 % 17] AS last_name) AS name;

ANALYZE customers;
