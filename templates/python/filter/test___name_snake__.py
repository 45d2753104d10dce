import unittest

import torvyn
from torvyn import testing

from {{name_snake}} import {{name_snake}}


class Test{{name_pascal}}(unittest.TestCase):
    def test_keeps_what_contains_the_pattern(self):
        self.assertEqual(testing.run({{name_snake}}, ["an ERROR", "fine"], pattern="ERROR"), [b"an ERROR"])

    def test_needs_a_pattern(self):
        with self.assertRaisesRegex(torvyn.InvalidInput, "`pattern` is missing"):
            testing.run({{name_snake}}, ["a"])


if __name__ == "__main__":
    unittest.main()
