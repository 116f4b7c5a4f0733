#ifndef DTRAIN_BASE_SPIN_H
#define DTRAIN_BASE_SPIN_H

/**
 * Tells the CPU that this thread waits in a loop, so that it saves power and favours the other
 * thread of the core. Local.
 */
static inline void dt_spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
