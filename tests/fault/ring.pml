/*
 * include/core/ring.h for the model checker Spin: both ends, every interleaving, and what weak
 * memory may do to them.
 *
 * Spin itself keeps the order of a process's steps. So the order that an acquire or a release
 * promises is written out as "not before", and where it is weakened (one RELAX_ macro each) the
 * steps may happen in any order, as a processor or compiler may then have them:
 *
 *   RELAX_PUBLISH  ring_publish: the count may be seen before the record is in the slot
 *   RELAX_WAITING  ring_waiting: the record may be read before the count was
 *   RELAX_RELEASE  ring_release: the slot may be given back before it was read
 *   RELAX_RESERVE  ring_reserve: the slot may be written before it is known to be free
 *   FULL_TOO_LATE  the check for a full ring is off by one
 *
 * ring_model.sh demands that the ring as it is holds, and that each of these breaks. A record has
 * two halves, so that a torn one shows. Counters wrap at 8 here as they do at 2^32 there, starting
 * just below. When the ring is full the producer either waits or drops the record, as it likes.
 */
#define N     2 /* capacity */
#define WRAP  8
#define START 6
#define ITEMS 6

#define DIFFERENCE(a, b) (((a) + WRAP - (b)) % WRAP)

#ifdef FULL_TOO_LATE
#define IS_FULL(next, seen) (DIFFERENCE(next, seen) > N)
#else
#define IS_FULL(next, seen) (DIFFERENCE(next, seen) >= N)
#endif

byte half_a[N];
byte half_b[N];
byte produced = START;
byte consumed = START;

byte dropped;
byte received;
bool ended;

proctype producer()
{
    byte next = START;
    byte seen = START; /* of the other side; only ever behind */
    byte item = 1;
    bool a;
    bool b;
    bool told;
    do
    :: item > ITEMS -> break
    :: else ->
        a = false;
        b = false;
        told = false;
        /* ring_reserve */
        if
        :: IS_FULL(next, seen) ->
#ifdef RELAX_RESERVE
            if
            :: half_a[next % N] = item; a = true
            :: skip
            fi;
#endif
            seen = consumed
        :: else
        fi;
        if
        :: IS_FULL(next, seen) ->
            if
            :: dropped++; item++               /* the last one may go, too */
            :: consumed != seen -> seen = consumed /* tries again when there is news */
            fi
        :: else ->
            /* the record, then ring_publish */
            do
            :: !a -> half_a[next % N] = item; a = true
            :: !b -> half_b[next % N] = item; b = true
#ifdef RELAX_PUBLISH
            :: !told -> produced = (next + 1) % WRAP; told = true
#else
            :: a && b && !told -> produced = (next + 1) % WRAP; told = true
#endif
            :: a && b && told -> break
            od;
            next = (next + 1) % WRAP;
            item++
        fi
    od;
    ended = true
}

proctype consumer()
{
    byte next = START;
    byte seen = START;
    byte last = 0;
    byte a;
    byte b;
    bool has_a;
    bool has_b;
    bool given;
    do
    :: true ->
        has_a = false;
        has_b = false;
        given = false;
#ifdef RELAX_WAITING
        if
        :: a = half_a[next % N]; has_a = true
        :: skip
        fi;
#endif
        if
        :: ended && produced == next -> break
        :: produced != next
        fi;
        /* ring_waiting; a former, smaller count may do as well */
        if
        :: seen = produced
        :: DIFFERENCE(seen, next) > 0
        fi;
        assert(DIFFERENCE(seen, next) <= N);
        /* ring_at, then ring_release */
        do
        :: !has_a -> a = half_a[next % N]; has_a = true
        :: !has_b -> b = half_b[next % N]; has_b = true
#ifdef RELAX_RELEASE
        :: !given -> consumed = (next + 1) % WRAP; given = true
#else
        :: has_a && has_b && !given -> consumed = (next + 1) % WRAP; given = true
#endif
        :: has_a && has_b && given -> break
        od;
        assert(a == b);   /* whole */
        assert(a > last); /* in order, once */
        last = a;
        received++;
        next = (next + 1) % WRAP
    od;
    assert(received + dropped == ITEMS)
}

init
{
    atomic {
        run producer();
        run consumer()
    }
}
