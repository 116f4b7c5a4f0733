# gnuplot -c scaling.gnuplot scaling.csv PICTURE [TITLE [BATCH ROWS]]: plots the results of scaling.sbatch.
#
# PICTURE is name.svg or name.png. Above strong, below weak scaling; from left to right the time of a step,
# the efficiency, the share of communication, and the sum in training next to the bare MPI_Allreduce.
table = ARG1
picture = ARG2

if (picture[strlen(picture) - 3:] eq ".png") {
    set terminal pngcairo size 1680,980 font "sans,13" noenhanced
} else {
    set terminal svg size 1680,980 font "sans-serif,15" noenhanced background "white"
}
set encoding utf8
set output picture
set datafile separator ","
set datafile columnheaders
set datafile missing NaN

# Told apart by all eyes, and in grey by their marks (the colours are Okabe and Ito's).
sums = "exact fast"
blue = "#0072b2"
orange = "#d55e00"
set linetype 1 linecolor rgb blue linewidth 2.5 pointtype 7 pointsize 0.9
set linetype 2 linecolor rgb orange linewidth 2.5 pointtype 5 pointsize 0.8
set linetype 3 linecolor rgb blue linewidth 1.5 pointtype 6 pointsize 0.8 dashtype (6,4)
set linetype 4 linecolor rgb orange linewidth 1.5 pointtype 4 pointsize 0.7 dashtype (6,4)
set linetype 5 linecolor rgb "#777777" linewidth 1.5 dashtype (6,4)
set border 3 linecolor rgb "#444444"
set grid ytics linetype 1 linecolor rgb "#dddddd" linewidth 1

# What a row of the table gives, when it is of this kind; else nothing.
of(mode, k, name) = strcol("mode") eq mode && strcol("sum") eq word(sums, k) ? column(name) : NaN
# The same where something is sent.
sent(mode, k, name) = column("ranks") > 1 ? of(mode, k, name) : NaN

different(name) = system(sprintf("awk -F, '\
    NR == 1 { for (i = 1; $i != \"%s\"; i++); next } \
    !seen[$i]++ { print $i }' '%s'", name, table))
stats table using "ranks" name "ranks" nooutput
set logscale x
set xrange [ranks_min / 1.3 : ranks_max * 1.3]
set xtics out nomirror ()
modes = different("mode")
counts = different("ranks")
do for [i = 1 : words(counts)] { # where there are many, every second one is named
    n = word(counts, i)
    set xtics add ((words(counts) > 8 && i % 2 == 0 ? "" : n) int(n))
}
set ytics out nomirror
set xlabel "ranks"
set key at graph 0.5, graph -0.32 center top reverse Left maxcols 2 samplen 2.5 spacing 1.2 width 2

# The least and the most of some columns, "LEAST MOST", on so many ranks or more.
range(mode, columns, ranks) = system(sprintf("awk -F, -v mode=%s -v columns='%s' -v ranks=%d '\
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; count = split(columns, name, \" \") } \
    $1 == mode && $3 >= ranks { \
        for (i = 1; i <= count; i++) { \
            v = $at[name[i]] + 0; \
            if (v > 0 && (!least || v < least)) least = v; \
            if (v > most) most = v \
        } \
    } \
    END { print least ? least : 1, most ? most : 10 }' '%s'", mode, columns, ranks, table))
# A logarithmic axis for such a range, marked the closer the shorter it is.
axis_of_times = "\
    low = real(word(times, 1)); \
    high = real(word(times, 2)); \
    set logscale y; \
    set yrange [low / 1.4 : high * 1.4]; \
    set ytics (); \
    marks = high / low < 5 ? '1 1.5 2 3 4 5 7' : high / low < 500 ? '1 2 5' : '1'; \
    do for [e = -3 : 9] { do for [m in marks] { set ytics add (sprintf('%g', m * 10**e) m * 10**e) } }"
axis_of_shares = "unset logscale y; set yrange [0 : 110]; set ytics 20"

set multiplot layout 2,4 title (ARGC > 2 ? ARG3 : "") font ",18" \
    margins 0.06,0.985,0.195,0.865 spacing 0.05,0.165
do for [mode in modes] {
    about = mode eq "strong" ? "Strong scaling" : "Weak scaling"
    if (ARGC > 4) {
        about = about . ": " . (mode eq "strong" ? ARG4 . " rows in a step, shared by the ranks" \
                                                 : ARG5 . " rows for each rank in a step")
    }
    # What the lines are stands once, below the last row.
    if (mode eq word(modes, words(modes))) { set key on } else { set key off }
    set label 1 about at graph 0, graph 1.24 font ",17" left

    set title "time of a step, µs"
    times = range(mode, "ideal_us step_least_us step_most_us", 1)
    eval axis_of_times
    plot for [k = 1:2] table using "ranks":(of(mode, k, "ideal_us")) \
             with lines linetype k + 2 title word(sums, k) . ", ideal", \
         for [k = 1:2] '' using "ranks":(of(mode, k, "step_us")):"step_least_us":"step_most_us" \
             with yerrorlines linetype k title word(sums, k)
    unset label 1

    set title "parallel efficiency, %"
    eval axis_of_shares
    plot 100 with lines linetype 5 title "ideal", \
         for [k = 1:2] table using "ranks":(100 * of(mode, k, "efficiency")) \
             with linespoints linetype k title word(sums, k)

    set title "share of communication, %"
    plot for [k = 1:2] table using "ranks":(100 * of(mode, k, "wait_share")) \
             with linespoints linetype k + 2 title word(sums, k) . ", waiting alone", \
         for [k = 1:2] '' using "ranks":(100 * of(mode, k, "communication_share")) \
             with linespoints linetype k title word(sums, k)

    set title "adding up the gradients, µs a step"
    times = range(mode, "bare_allreduce_us allreduce_us", 2)
    eval axis_of_times
    plot for [k = 1:2] table using "ranks":(sent(mode, k, "bare_allreduce_us")) \
             with linespoints linetype k + 2 title word(sums, k) . ", bare", \
         for [k = 1:2] '' using "ranks":(sent(mode, k, "allreduce_us")) \
             with linespoints linetype k title word(sums, k) . ", in training"
}
unset multiplot
