import unittest

import torvyn
from torvyn import testing

from fahrenheit import fahrenheit
from readings import readings


class TestFahrenheit(unittest.TestCase):
    def test_converts(self):
        self.assertEqual(testing.run(fahrenheit, ["kitchen 20\n", "cellar -3.5\n"]), [b"kitchen 68.0\n", b"cellar 25.7\n"])

    def test_refuses_what_is_no_reading(self):
        for text in ("kitchen", "kitchen warm", "a b c"):
            with self.subTest(text), self.assertRaises(torvyn.InvalidInput):
                fahrenheit(torvyn.Element(text))

    def test_takes_what_the_source_gives(self):
        self.assertEqual(len(testing.run(fahrenheit, testing.run(readings, count=5))), 5)


if __name__ == "__main__":
    unittest.main()
