import unittest

from torvyn import testing

from {{name_snake}} import {{name_snake}}


class Test{{name_pascal}}(unittest.TestCase):
    def test_ticks_as_often_as_it_is_told(self):
        self.assertEqual(testing.run({{name_snake}}, count=2), [b"tick 1\n", b"tick 2\n"])
        self.assertEqual(len(testing.run({{name_snake}})), 10)


if __name__ == "__main__":
    unittest.main()
