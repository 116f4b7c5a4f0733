#ifndef DTRAIN_TESTS_WITH_CMOCKA_H
#define DTRAIN_TESTS_WITH_CMOCKA_H

/** cmocka, after the headers that it requires. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
