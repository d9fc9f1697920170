internal import Glibc

/// Whether `condition` comes true within five seconds: asked again and again, for things that another process does.
package func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(5)
    repeat {
        if condition() { return true }
        sched_yield()
    } while ContinuousClock.now < deadline
    return false
}
