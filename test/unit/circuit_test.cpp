#include "engine/limits/circuit.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Clock::time_point now = Clock::now();

/// How long it waits after so many failures.
Clock::duration pause_after(int failures, Fault fault) {
    Circuit circuit;
    Clock::time_point at = now;
    for (int i = 1; i < failures; i++) {
        circuit.failed(fault, "down", at);
        at = circuit.retry_at();
    }
    circuit.failed(fault, "down", at);
    return circuit.retry_at() - at;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_closed_one_lets_everything_through) {
    Circuit circuit;
    BOOST_TEST((circuit.state() == Circuit::State::closed));
    BOOST_TEST(circuit.may_send(now, 0));
    BOOST_TEST(circuit.may_send(now, 100));
}

BOOST_AUTO_TEST_CASE(a_fault_that_passes) {
    for (Fault fault : {Fault::unreachable, Fault::unintelligible}) {
        Circuit circuit;
        circuit.failed(fault, "HTTP status 503", now);
        BOOST_TEST((circuit.state() == Circuit::State::failing));
        BOOST_TEST(circuit.reason() == "HTTP status 503");
        BOOST_TEST(circuit.failures() == 1);
        BOOST_TEST((pause_after(1, fault) >= seconds(1)));
        BOOST_TEST((pause_after(1, fault) <= seconds(2)));
        BOOST_TEST((pause_after(2, fault) >= seconds(2)));
        BOOST_TEST((pause_after(2, fault) <= seconds(4)));
        BOOST_TEST((pause_after(1000, fault) >= seconds(150)));
        BOOST_TEST((pause_after(1000, fault) <= minutes(5)));
    }
}

BOOST_AUTO_TEST_CASE(a_fault_that_waits_for_someone_pauses_at_once) {
    for (Fault fault :
         {Fault::unauthorized, Fault::unknown_host, Fault::not_trusted, Fault::not_found, Fault::stopped}) {
        Circuit circuit;
        circuit.failed(fault, "who are you?", now);
        BOOST_TEST((circuit.state() == Circuit::State::paused));
        BOOST_TEST((pause_after(1, fault) >= seconds(30)));
        BOOST_TEST((pause_after(1, fault) <= seconds(60)));
        BOOST_TEST((pause_after(1000, fault) >= minutes(30)));
        BOOST_TEST((pause_after(1000, fault) <= hours(1)));
    }
}

BOOST_AUTO_TEST_CASE(one_request_tries_when_the_time_has_come) {
    Circuit circuit;
    circuit.failed(Fault::unreachable, "down", now);
    BOOST_TEST(!circuit.may_send(now, 0));
    BOOST_TEST(!circuit.may_send(circuit.retry_at() - Milliseconds(1), 0));
    BOOST_TEST(circuit.may_send(circuit.retry_at(), 0));
    BOOST_TEST(!circuit.may_send(circuit.retry_at(), 1));
}

BOOST_AUTO_TEST_CASE(the_first_success_closes_it) {
    Circuit circuit;
    circuit.failed(Fault::unauthorized, "who are you?", now);
    circuit.failed(Fault::unauthorized, "who are you?", now);
    circuit.succeeded();
    BOOST_TEST((circuit.state() == Circuit::State::closed));
    BOOST_TEST(circuit.failures() == 0);
    BOOST_TEST(circuit.reason() == "");
    BOOST_TEST(circuit.may_send(now, 5));
    circuit.failed(Fault::unreachable, "down", now);
    BOOST_TEST((circuit.retry_at() <= now + seconds(2)), "it counts anew");
}

BOOST_AUTO_TEST_CASE(a_fault_that_waits_for_someone_outlasts_one_that_passes) {
    Circuit circuit;
    circuit.failed(Fault::unreachable, "down", now);
    circuit.failed(Fault::unauthorized, "who are you?", now);
    BOOST_TEST((circuit.state() == Circuit::State::paused));
    BOOST_TEST(circuit.reason() == "who are you?");
    BOOST_TEST((circuit.retry_at() >= now + seconds(30)));
    circuit.failed(Fault::unreachable, "down", now);
    BOOST_TEST((circuit.state() == Circuit::State::paused));
    BOOST_TEST(circuit.reason() == "who are you?");
    BOOST_TEST((circuit.retry_at() >= now + seconds(30)));
    circuit.failed(Fault::unreachable, "down", circuit.retry_at());
    BOOST_TEST((circuit.state() == Circuit::State::failing), "the last fault says what it is");
    BOOST_TEST(circuit.reason() == "down");
    BOOST_TEST(circuit.failures() == 2);
}

/// Pauses are drawn: of so many that began anew, some would be shorter.
BOOST_AUTO_TEST_CASE(what_was_under_way_when_it_opened_says_nothing_new) {
    for (Fault fault : {Fault::unreachable, Fault::unintelligible, Fault::unauthorized}) {
        Circuit circuit;
        circuit.failed(fault, "down", now);
        const Clock::time_point retry_at = circuit.retry_at();
        for (int i = 0; i < 100; i++)
            circuit.failed(fault, "down", now + Milliseconds(1));
        BOOST_TEST((circuit.retry_at() == retry_at));
        BOOST_TEST(circuit.failures() == 1);
        circuit.failed(fault, "down", retry_at);
        BOOST_TEST((circuit.retry_at() > retry_at));
        BOOST_TEST(circuit.failures() == 2);
    }
}

BOOST_AUTO_TEST_CASE(someone_can_have_it_tried_now) {
    Circuit circuit;
    circuit.failed(Fault::unauthorized, "who are you?", now);
    circuit.retry_now(now);
    BOOST_TEST(circuit.may_send(now, 0));
    BOOST_TEST(!circuit.may_send(now, 1), "still one at a time");
    circuit.failed(Fault::unauthorized, "who are you?", now);
    BOOST_TEST(!circuit.may_send(now, 0));
}
