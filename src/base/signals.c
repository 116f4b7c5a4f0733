#include "dtrain/base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Lock-free, so that handlers may use them; atomic, because two threads may run handlers at
 * once. */
static atomic_int first_signal;
static atomic_int interrupts;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may not wait for a lock");

static void note(int signal_number)
{
    const int error = errno;
    dt_signals_note(signal_number);
    if (signal_number == SIGINT && atomic_fetch_add(&interrupts, 1) > 0) {
        /* The signal is blocked in the handler, and ends the process when the handler returns. */
        (void)signal(SIGINT, SIG_DFL);
        (void)raise(SIGINT);
    }
    errno = error;
}

static void catch_signal(int number)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void dt_signals_ignore_limits(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
}

void dt_signals_catch_warnings(void)
{
    static const int signals[] = {SIGUSR1, SIGINT, SIGHUP};
    struct sigaction before;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        const bool ignorable = signals[i] != SIGUSR1; /* ignored by & or nohup */
        if (ignorable && sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
            continue;
        catch_signal(signals[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN); /* `| head`: output may be lost, but not the result */
}

void dt_signals_catch(void)
{
    dt_signals_catch_warnings();
    catch_signal(SIGTERM);
}

void dt_signals_note(int signal_number)
{
    int none = 0;
    (void)atomic_compare_exchange_strong(&first_signal, &none, signal_number);
}

int dt_signals_pending(void)
{
    return atomic_load(&first_signal);
}

const char *dt_signals_name(int signal)
{
    switch (signal) {
    case SIGTERM:
        return "SIGTERM";
    case SIGUSR1:
        return "SIGUSR1";
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    default:
        return "a signal";
    }
}
