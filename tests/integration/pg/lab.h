/* lab.h: the lab's servers, for tests written in C.
 *
 *      int main(int argc, char **argv) { return lab_main(argc, argv, (int[]){ 13, 17, 0 }); }
 *
 *      Test(conn, counts)
 *      {
 *              AUTO_PG Pg *pg = lab_open(17, NULL);
 *
 * lab_main() exits with 77 and names the server that is not there. Databases are made by
 * lab_database() under test_<pid>_..., so that the lab can sweep up after a killed test. */
#pragma once

#include <criterion/criterion.h>

#include "pg/conn.h"

int lab_main(int argc, char **argv, const int *majors);
/* The superuser, in `database` (NULL: postgres). Fails the test when it cannot. */
Pg *lab_open(int major, const char *database);
bool lab_params(int major, const char *database, PgParams *ret);
/* A new database (malloc()ed name); dropped by lab_drop(). */
char *lab_database(int major, const char *word);
void lab_drop(int major, const char *database);
/* Runs SQL that a test wrote; fails the test with the server's words. */
void lab_do(Pg *pg, const char *sql);
/* One cell, malloc()ed. */
char *lab_value(Pg *pg, const char *sql);
/* PGSHERPA_PG_BIN_N/pg_dump of one database into another. */
void lab_clone(int from, const char *source, int to, const char *target);
