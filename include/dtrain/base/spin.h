#ifndef DTRAIN_BASE_SPIN_H
#define DTRAIN_BASE_SPIN_H

/** Lets the CPU's other thread, and its power supply, know that this one waits in a loop. Local. */
static inline void dt_spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
