-- What 16 and 17 brought.
create schema since16;
create view since16.j as select json_object('a': 1, 'b': null absent on null) as o, json_array(1, 2 returning jsonb) as a, '{}' is json object as i, json_arrayagg(n) as g from generate_series(1, 3) n; create table since16.d (j text check (j is json)); insert into since16.d values ('{}'); create collation since16.rules (provider = icu, locale = 'de', rules = '&a < b');
